"""The model side of Readonce: encode a document once, answer any number of questions from the encoding."""
