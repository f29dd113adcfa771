"""What every noun stands on: facts, refusals, ids, sealing, clean words, tickets, the clock. It knows no group."""
