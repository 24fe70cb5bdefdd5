"""Reading AWS: clients, paging, metrics, and the ledger of every call."""
