"""Directions of the cone along which S grows: searched for, evaluated, verified."""
