"""What grouping needs of one article, made once."""
