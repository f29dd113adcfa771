"""Floor 2: the words of peer support, a package each."""
