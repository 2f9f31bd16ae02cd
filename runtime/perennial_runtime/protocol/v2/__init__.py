"""The Open Inference Protocol v2 over REST.

A request takes one of three ways through ``codec.py``: all JSON (``json_memo.py`` reads requests
that look like earlier ones, ``tensor_json.py`` the data), a JSON head with binary tensors after it,
or one bare tensor (``binary.py``). ``response.py`` writes the response.
"""
