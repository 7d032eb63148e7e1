"""A real Apache Cassandra for tests: given by contact points, run from its image, or run from its jars on Java 17."""
