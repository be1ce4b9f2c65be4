"""A kernel that finds this file at its start reaches this machine only."""

import ipaddress
import socket


def refused(*_):
    raise OSError("the network is cut off")


def local(address):
    if not isinstance(address, tuple):
        return True  # a Unix socket
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"


connect = socket.socket.connect
socket.socket.connect = lambda self, address: connect(self, address) if local(address) else refused()
socket.socket.connect_ex = lambda self, address: refused()
socket.getaddrinfo = socket.gethostbyname = refused
