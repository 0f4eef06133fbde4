"""What reports are drawn with: one scrolling page of lines, and the pure functions that lay it out."""
