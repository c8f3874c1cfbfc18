"""What an audit measures: from a survey to lists of plain records."""
