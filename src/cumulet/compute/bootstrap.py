"""How a Python runtime begins in an execution environment: /var/runtime/bootstrap.py, as on AWS.

The interpreter was started without site-packages. The search path is AWS's: the function's code, layers, the runtime.
"""

import os
import site
import sys

if __name__ == "__main__":
    site.setquit()
    site.sethelper()
    runtime = sys.path.pop(0)
    layers = f"/opt/python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], layers, "/opt/python"]
    if runtime not in sys.path:
        sys.path.insert(3, runtime)

    from awslambdaric.__main__ import main

    main([sys.argv[0], os.environ["_HANDLER"]])
