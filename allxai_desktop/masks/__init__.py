"""The mask file, and the formats of other programs, one module each."""
