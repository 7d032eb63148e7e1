"""Who is in the cluster and who owns what: membership, the hash ring, and the router built from both."""
