"""The picture of an unrolled program: layers by passes, and the messages between them."""
