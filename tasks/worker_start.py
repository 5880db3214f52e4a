"""What every worker process has ready; imported by the server that workers are forked from.

So modules and compiled kernels are loaded once, and not in a process that finds nothing to do.
"""

from masks.warm_up import compile_kernels
from tasks.ask import ask_granule
from tasks.assemble import write_granule
from tasks.ingest import ingest_granule

READY = (ingest_granule, ask_granule, write_granule)

compile_kernels()
