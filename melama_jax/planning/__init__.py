"""How long and how large a run would be on hardware that may be absent: compiled for it, read, estimated."""
