"""What keeps a worker in its place once it has imported what it needs: start at `confine.py`.

Own code, 350 lines over two interfaces of the kernel: of the packages that offer them, `landlock` and `py-landlock`
are single early releases, `landlockpy` and `seccompy` some weeks old, and `pyseccomp` needs a library of the system.
"""

from app.documents.sandbox.confine import confine, end_with_parent

__all__ = ["confine", "end_with_parent"]
