"""How a Python runtime begins in an execution environment: /var/runtime/bootstrap.py, as on AWS.

The interpreter was started without site-packages. The search path is AWS's: the function's code, layers, the runtime.
With an argument, the path of the spawner, this process is that; what goes on here then is a fork of it in a box.
"""

import os
import site
import sys


def _spawn(spawner: str, folders: list[str]) -> None:
    at_start = set(sys.modules)
    from importlib.machinery import SourceFileLoader

    SourceFileLoader("spawner", spawner).load_module().serve_boxes(at_start, folders)


if __name__ == "__main__":
    site.setquit()
    site.sethelper()
    runtime = sys.path.pop(0)
    layers = f"/opt/python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    if len(sys.argv) > 1:
        _spawn(sys.argv.pop(), ["/var/task", layers, "/opt/python"])
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], layers, "/opt/python"]
    if runtime not in sys.path:
        sys.path.insert(3, runtime)

    from awslambdaric.__main__ import main

    main([sys.argv[0], os.environ["_HANDLER"]])
