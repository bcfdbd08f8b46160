"""How a service carries out what it is asked: handlers bound to operations, and one way to run them."""
