import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PAIRS = "".join(first + second for first in ALPHABET for second in ALPHABET).encode().hex()
# Four characters at once.
BASE = 62**4
PLACES = 6


def limb(number: int) -> str:
    """Return SQL of 32 bits of the key `b`, the lowest the first."""
    high, *low = (f"get_byte(b, {12 - 4 * number + place})" for place in range(4))
    return f"{high} * 16777216::bigint + ({low[0]} * 65536 + {low[1]} * 256 + {low[2]})"


def carried(place: int) -> str:
    """Return SQL of what the four limbs put into a place, and of what is left from the place before."""
    parts = [
        f"limb_{number} * {factor}"
        for number in range(4)
        if (factor := (1 << 32 * number) // BASE**place % BASE)
    ]
    return " + ".join([*parts, *([f"place_{place - 1} / {BASE}"] if place else [])])


def pair(place: int, digit: str) -> str:
    return f"substring(pairs FROM (2 * (place_{place} % {BASE} {digit} 3844) + 1)::int FOR 2)"


# The highest place has but two characters.
CHARACTERS = [pair(PLACES - 1, "%")] + [
    pair(place, digit) for place in range(PLACES - 2, -1, -1) for digit in "/%"
]
DECLARED = [
    "b bytea := uuid_send(key)",
    f"pairs CONSTANT bytea := '\\x{PAIRS}'::bytea",
    *(f"limb_{number} bigint := {limb(number)}" for number in range(4)),
    *(f"place_{place} bigint := {carried(place)}" for place in range(PLACES)),
]
# What `promoengine.core.ids.public_id` returns.
PUBLIC_ID = f"""
CREATE FUNCTION promo_public_id(prefix text, key uuid) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE {"; ".join(DECLARED)};
BEGIN
    RETURN prefix || '_' || convert_from({" || ".join(CHARACTERS)}, 'UTF8');
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("core", "0005_bin"),
        ("redemptions", "0012_currencies"),
    ]

    operations = [
        migrations.RunSQL(PUBLIC_ID, "DROP FUNCTION promo_public_id(text, uuid)"),
        # Packing takes longer than writing, and files stay for a week.
        migrations.RunSQL(
            "ALTER TABLE redemptions_exportpart ALTER COLUMN content SET STORAGE EXTERNAL",
            "ALTER TABLE redemptions_exportpart ALTER COLUMN content SET STORAGE EXTENDED",
        ),
        migrations.AddField(
            model_name="export",
            name="listed",
            field=models.TextField(
                blank=True,
                db_default="",
                help_text="The address's query of the dashboard's list that it is of.",
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="user",
            field=models.ForeignKey(
                help_text="Whose list it is of; nobody's where the API asked for it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="action",
            field=models.ForeignKey(
                help_text="What makes it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="core.asyncaction",
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="row_count",
            field=models.PositiveBigIntegerField(help_text="Rows of the file, once it is there.", null=True),
        ),
    ]
