"""Read ``config.toml`` and the environment into one typed, checked value.

``daemon``, ``market`` and ``trading`` declare the sections: type, default, bounds and meaning of every key stand in one
place. ``reading`` turns plain tables into them and reports every mistake at once, ``cross_rules`` checks keys against each
other, ``environment`` applies ``BULKHEAD_<SECTION>__<KEY>``, ``secret_files`` finds or makes what must not stand in a
file people share. ``shipped`` and ``reference`` write config.toml and its reference page from the same declarations.

What must not live here: the meaning of a setting. Rooms receive the values they need, never this package.
"""

from service.config.document import Config
from service.config.errors import ConfigError
from service.config.keys import Secret
from service.config.load import load, parse
from service.config.secret_files import WebhookSecrets, open_webhook_secrets
from service.config.shipped import default_toml

__all__ = [
    "Config",
    "ConfigError",
    "Secret",
    "WebhookSecrets",
    "default_toml",
    "load",
    "open_webhook_secrets",
    "parse",
]
