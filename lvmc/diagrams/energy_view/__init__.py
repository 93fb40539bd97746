"""The picture of an energy: stacked planes of units and the couplings between them."""
