"""Office files (Word, PowerPoint, Excel, OpenDocument) -> blocks of a flowing document."""
