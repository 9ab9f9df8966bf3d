"""The product side of Readonce: documents, the page, the command line and the benchmarks."""

import os
import sys

from app.environment import leave_out_unneeded, prepare_environment

prepare_environment(os.environ)  # here, because nothing of the app is imported before: libraries read it once
leave_out_unneeded(sys.modules)
