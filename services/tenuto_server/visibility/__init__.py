"""What lists of workflows know: the record of a run, search attributes, and the query language over both. Pure."""
