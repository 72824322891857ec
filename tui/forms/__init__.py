"""Forms over the screen, for settings that are more than one value: accounts, layers, overrides, an order, credentials.

What lives here: a form each, which asks the daemon what it would do and ends with the edits of the draft it comes to. What
must not: a rule of its own; whether layers are right is the daemon's word, as everywhere in this room.
"""

from tui.forms.accounts import AccountsForm
from tui.forms.base import Form
from tui.forms.credentials import CredentialsForm
from tui.forms.layers import LayersForm
from tui.forms.order import OrderForm
from tui.forms.overrides import OverridesForm
from tui.forms.tables import TablesForm

__all__ = ["AccountsForm", "CredentialsForm", "Form", "LayersForm", "OrderForm", "OverridesForm", "TablesForm"]
