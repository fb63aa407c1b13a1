"""What pigeons cost: for programs that invoke it, for events, and for browsers at its function URL."""

import os


def handler(event, context):
    """Return the price of an order; raises ValueError when its number of pigeons is none."""
    order = event.get("queryStringParameters", event)
    price = int(order["pigeons"]) * int(os.environ["PRICE"])
    print(f"{order['pigeons']} pigeons cost {price}")
    return {"price": price, "version": context.function_version}
