"""What `make bench` runs: the goals of speed, each beside a floor that was measured in the same run.

We promise that ratios are fair (same machine, same minute, taken in turn), and that nothing outside a temporary
folder is written and nothing outside the loopback is asked.
"""
