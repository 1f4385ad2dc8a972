"""Text in, rows of token ids out: SeqIO defines the tasks, Grain reads the rows."""
