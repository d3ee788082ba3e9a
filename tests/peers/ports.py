# SPDX-License-Identifier: Apache-2.0
"""TCP ports of this machine for servers that have to be told theirs."""

import socket


def free_ports(number):
    """So many different ones that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def free_port():
    return free_ports(1)[0]
