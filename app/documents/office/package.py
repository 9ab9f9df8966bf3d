"""The ZIP archive of an office file: its parts as XML, none larger than it may be, nothing fetched from outside."""

import io
import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from lxml import etree

from app.documents.formats import damaged_error, password_error
from model.errors import DocumentError

MIB = 1 << 20
MAX_MEMBERS = 20_000
MAX_PART = 256 * MIB  # of one part, unpacked
MAX_UNPACKED = 1_024 * MIB  # of all parts together
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"

Element = Any  # lxml has no type hints


class Package:
    """An open office file. Sizes are checked before anything is unpacked."""

    def __init__(self, data: bytes, name: str) -> None:
        """Raises DocumentError for an archive that is damaged, encrypted, or unpacks to more than it may."""
        self._name = name
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise self._damaged() from error
        members = self._archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or any(m.file_size > MAX_PART for m in members):
            raise DocumentError(
                "{name!r} unpacks to {size:,.0f} MiB in {count:,} parts, and "
                "{limit:,} MiB in {most:,} parts is the limit: split it, or save it as PDF.",
                name=name,
                size=unpacked / MIB,
                count=len(members),
                limit=MAX_UNPACKED // MIB,
                most=MAX_MEMBERS,
            )
        self.names = {member.filename.lower(): member.filename for member in members}  # Windows minds no case
        if any(member.flag_bits & 1 for member in members):
            raise password_error(name)

    def bytes(self, part: str) -> bytes:
        """The content of a part; empty where there is none. Raises DocumentError for a damaged one."""
        member = self.names.get(part.lower())
        if member is None:
            return b""
        try:
            return self._archive.read(member)
        except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as error:
            raise self._damaged() from error

    def xml(self, part: str) -> Element | None:
        """The root element of a part; None where there is none. Raises DocumentError for a damaged one."""
        data = self.bytes(part)
        if not data:
            return None
        try:
            return parse_xml(data)
        except etree.XMLSyntaxError as error:
            raise self._damaged() from error

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to inside the file, by its id: the last word of the relation's type, and a part."""
        folder, file = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{file}.rels"))
        found: dict[str, tuple[str, str]] = {}
        for relation in root.iter(_RELATION) if root is not None else ():
            if relation.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/" + folder, unquote(relation.get("Target", ""))))
                kind = relation.get("Type", "").rpartition("/")[2]
                found[relation.get("Id", "")] = kind, target.lstrip("/")
        return found

    def related(self, part: str, kind: str) -> Iterator[str]:
        """The parts that a part refers to by a relation of that kind."""
        return (target for found, target in self.relations(part).values() if found == kind)

    def main_part(self, usual: str) -> str:
        """The part with the document itself."""
        return next(self.related("", "officeDocument"), usual)

    def _damaged(self) -> DocumentError:
        return damaged_error(self._name, "office")


def parse_xml(data: bytes) -> Element:
    """The root element. Entities of the file's own are not expanded and nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    return etree.fromstring(data, parser)


def local(element: Element) -> str:
    """An element's name without its namespace: strict and transitional files differ in nothing else."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element, name: str, default: str = "") -> str:
    """An attribute by its name without namespace."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return default


def child(element: Element | None, *names: str) -> Element | None:
    """The first child of that name, its first child of the next name, and so on; None where one is missing."""
    for name in names:
        if element is None:
            return None
        element = next((one for one in element if local(one) == name), None)
    return element


def children(element: Element | None, *names: str) -> Iterator[Element]:
    """The children of these names."""
    return (one for one in (element if element is not None else ()) if local(one) in names)


def descendants(element: Element | None, name: str) -> Iterator[Element]:
    """All elements of that name below one, in the file's order."""
    return (one for one in (element.iter() if element is not None else ()) if local(one) == name)


def number(text: str, default: int = 0) -> int:
    """A whole number written in an attribute; the default for anything else."""
    try:
        return int(text)
    except ValueError:
        return default


def resolved(container: Element | None) -> Iterator[Element]:
    """The children; of several versions of the same thing for older and newer programs, the newest."""
    for element in container if container is not None else ():
        if local(element) == "AlternateContent":
            version = child(element, "Choice")
            yield from resolved(version if version is not None else child(element, "Fallback"))
        else:
            yield element
