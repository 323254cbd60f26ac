from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0008_definitions_versions")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="client_refusals",
            field=models.CharField(
                choices=[
                    ("ALL", "Why, whatever it is: expired, used up, no such code"),
                    ("CART", "What the cart lacks, and of anything else only that it can't be used"),
                    ("NONE", "Only that it can't be used"),
                ],
                db_default="ALL",
                default="ALL",
                help_text="The less they are told, the less those learn who try codes out. Whom a code was given"
                " to is told why in any case, and so is your own server.",
                max_length=4,
                verbose_name="visitors are told of a refused code",
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="guessed_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When so many unknown codes were tried that somebody guessed.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="guesses",
            field=models.PositiveIntegerField(
                db_default=0, default=0, editable=False, help_text="How many were tried then."
            ),
        ),
    ]
