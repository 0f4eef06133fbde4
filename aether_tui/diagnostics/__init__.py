"""One module per framework: data and documents in, a report out."""
