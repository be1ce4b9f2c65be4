"""What the engine and the layers cost: measured, never asserted.

Every comparison is made within one run, its sides taken in turn, and given as the median of several repeats.
"""
