"""Archives: where closed runs' histories and visibility records are kept after their retention.

`places` is where bytes can lie (a folder, S3, Google Cloud Storage), `archive` what is written there and how it is read.
"""
