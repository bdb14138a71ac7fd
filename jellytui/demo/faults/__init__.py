"""Everything that can go wrong between a client and a server, on purpose (jellyfin-api.md 17.2, issue 4 point 4)."""
