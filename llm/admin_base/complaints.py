"""What is wrong with a value, as a form says it.

The readers of the providers file complain in English and in the file's notation; a form has commas between names.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# How a complaint begins: what a form says of it.
SENTENCES: tuple[tuple[str, Promise], ...] = (
    ("must begin with http", gettext_lazy("An address begins with http:// or https:// and names a host.")),
    ("is not a valid address", gettext_lazy("That is not a valid address.")),
    ("must not hold a user", gettext_lazy("An address holds no user, password, query or fragment here.")),
    ("must name the domain", gettext_lazy("{location} may be a part of the host, but not all of it.")),
    ("may hold {location}", gettext_lazy("Only an address of Vertex AI may hold {location}.")),
    ("must be a list of regions", gettext_lazy("Regions are in capitals, with commas between: EEA, UK, CH")),
    ("must be a list of locations", gettext_lazy("Names of locations, with commas between: global, eu, us")),
    ("must hold names such as", gettext_lazy("Names of locations, with commas between: global, eu, us")),
    ("is missing, such as [", gettext_lazy("Vertex AI needs at least one location, such as global.")),
    ("must be false, since vertex", gettext_lazy("Vertex AI needs a key: its service account.")),
    ("is for vertex only", gettext_lazy("Only for Vertex AI: leave it empty.")),
    ("names a ", gettext_lazy("One of them is there twice.")),
    ("must hold patterns", gettext_lazy("Patterns of model ids, without spaces: *:free")),
    ("must be a list of patterns", gettext_lazy("Patterns of model ids, without spaces: *:free")),
    ("must not hold spaces", gettext_lazy("An id has no spaces.")),
    ("must not be empty", gettext_lazy("This may not be empty.")),
    ("must be one line", gettext_lazy("One line, please.")),
    ("is missing: an embedding", gettext_lazy("Say how many numbers a vector of this model has.")),
    ("is missing: vectors", gettext_lazy("Name the family: only vectors of one family can be compared.")),
    ('is for kind = "embedding"', gettext_lazy("Only for embedding models: leave it empty.")),
    ("must not be above context", gettext_lazy("The longest answer cannot be longer than the context.")),
    ("is not for concurrent", gettext_lazy("So many may run at a time: leave the period empty.")),
    ("is missing: one of", gettext_lazy("Choose a period.")),
    ("is for units only", gettext_lazy("Only for limits in units of the provider’s own: leave it empty.")),
    (
        "looks like the name of a variable",
        gettext_lazy("That is the name of a variable: type the key itself."),
    ),
    (
        "begins like the JSON",
        gettext_lazy("That begins like the JSON of a service account, but is not all of it."),
    ),
    ("must be one word of ASCII", gettext_lazy("A key is one word of Latin letters, digits and signs.")),
)


def told(problem: str) -> str:
    """The sentence of a form; for the few that it has none for, the reader's own words."""
    for begins, sentence in SENTENCES:
        if problem.startswith(begins):
            return str(sentence)
    return _("This value %(problem)s.") % {"problem": problem}
