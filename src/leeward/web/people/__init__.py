"""Pages about oneself: sign-in, account, devices."""
