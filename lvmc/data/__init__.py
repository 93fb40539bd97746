"""What models learn from: samples, the sets they come from, and batches of them."""
