"""What the course's commands and tests share: the lessons as data, running them, a browser, memory, the address.

An editable install puts the repository's root on the import path, so that every script and test finds it. Nothing is
imported here: `make address` runs before there is an environment.
"""
