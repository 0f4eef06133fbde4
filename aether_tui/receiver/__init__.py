"""The OTLP/HTTP receiver: spans are acknowledged once they are clean and on the disk, and stored in batches."""
