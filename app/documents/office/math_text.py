"""Equations of office files (OMML) as a line of text: a fraction is (a)/(b), a power a^(b)."""

from app.documents.office.package import Element, child, children, descendants, local

_MARKS = {"sup": "^", "sub": "_"}


def math_text(element: Element) -> str:
    """The text of an equation."""
    name = local(element)
    if name == "t":
        return element.text or ""
    if name == "f":
        return f"{_grouped(child(element, 'num'))}/{_grouped(child(element, 'den'))}"
    if name == "rad":
        degree = _inner(child(element, "deg"))
        return f"√{'[' + degree + ']' if degree else ''}{_grouped(child(element, 'e'))}"
    if name == "d":
        return f"({', '.join(_inner(part) for part in children(element, 'e'))})"
    if name == "nary":
        sign = next((mark.get(key) for mark in descendants(element, "chr") for key in mark.keys()), "∫")  # noqa: SIM118
        return sign + "".join(
            math_text(part) if local(part) in _MARKS else _inner(part) for part in children(element, "sub", "sup", "e")
        )
    if name in _MARKS:
        inner = _inner(element)
        return f"{_MARKS[name]}{inner if len(inner) == 1 else f'({inner})'}" if inner else ""
    if name.endswith("Pr"):
        return ""
    return _inner(element)


def _inner(element: Element | None) -> str:
    return "".join(math_text(part) for part in (element if element is not None else ()))


def _grouped(element: Element | None) -> str:
    inner = _inner(element)
    return inner if len(inner) <= 1 or inner.isalnum() else f"({inner})"
