"""The product side of Readonce: documents, the page, the command line and the benchmarks."""

import os

from app.environment import prepare_environment

prepare_environment(os.environ)  # here, because nothing of the app is imported before: libraries read it once
