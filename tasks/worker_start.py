"""What every worker process has ready; imported by the server that workers are forked from.

So modules and compiled kernels are loaded once for all workers, not in the process of the build.
"""

import datasketch  # noqa: F401 - which a worker would load on its own

from masks.warm_up import compile_kernels
from tasks.ask import ask_granule
from tasks.assemble import write_granule
from tasks.captions.cap_cot import caption_granule
from tasks.ingest import ingest_granule
from tasks.refine import refine_granule

READY = (ingest_granule, caption_granule, ask_granule, refine_granule, write_granule)

compile_kernels()
