"""The commands `user` and `key`: who may use a server that several people share (READONCE_USERS)."""

import argparse
import getpass
import sys

from app.people.directory import Directory
from app.settings import Settings
from model.errors import ReadonceError


def user(arguments: argparse.Namespace) -> None:
    """`user add|password|remove NAME`, `user list`."""
    directory = _directory()
    match arguments.act:
        case "add":
            directory.add_person(arguments.name, _password())
            print(f"added  {arguments.name}")
        case "password":
            directory.change_password(arguments.name, _password())
            print(f"changed  {arguments.name}")
        case "remove":
            directory.remove_person(arguments.name)
            print(f"removed  {arguments.name}; the documents stay in the library's folder")
        case _:
            print(*directory.people().names, sep="\n")


def key(arguments: argparse.Namespace) -> None:
    """`key add NAME --user PERSON|--metrics`, `key remove NAME`, `key list`."""
    directory = _directory()
    match arguments.act:
        case "add":
            print(directory.add_key(arguments.name, arguments.user or ""))
            print("This key is not shown again: keep it where the program finds it.", file=sys.stderr)
        case "remove":
            directory.remove_key(arguments.name)
            print(f"removed  {arguments.name}")
        case _:
            for one in directory.people().keys:
                print(f"{one.name}  {one.person or '(metrics)'}  {one.created}")


def _directory() -> Directory:
    if (path := Settings.load().users) is None:
        raise ReadonceError("READONCE_USERS is not set: name the file in which users and keys are kept.")
    return Directory(path)


def _password() -> str:
    """What is typed twice, or a line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Once more: "):
        raise ReadonceError("The two passwords differ. Type the same one twice.")
    return password
