"""The store on Apache Cassandra: `session` is the seam to a driver, everything else stands on it."""
