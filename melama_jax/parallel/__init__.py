"""Who takes part, which mesh they form, and what the hardware can do."""
