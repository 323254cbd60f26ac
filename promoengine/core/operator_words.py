"""The published operators in plain words, as rules and filters are told of."""

from django.utils.translation import gettext, gettext_lazy

OPERATORS = {
    "$is": gettext_lazy("is %(values)s"),
    "$is_not": gettext_lazy("is not %(values)s"),
    "$in": gettext_lazy("is one of %(values)s"),
    "$not_in": gettext_lazy("is none of %(values)s"),
    "$from": gettext_lazy("comes from %(values)s"),
    "$less_than": gettext_lazy("is less than %(values)s"),
    "$less_than_or_equal": gettext_lazy("is at most %(values)s"),
    "$more_than": gettext_lazy("is more than %(values)s"),
    "$more_than_or_equal": gettext_lazy("is at least %(values)s"),
    "$in_location": gettext_lazy("lies in %(values)s"),
    "$starts_with": gettext_lazy("starts with %(values)s"),
    "$ends_with": gettext_lazy("ends with %(values)s"),
    "$contains": gettext_lazy("contains %(values)s"),
    "$not_contain": gettext_lazy("does not contain %(values)s"),
    "$count": gettext_lazy("has exactly %(values)s elements"),
    "$count_more": gettext_lazy("has more than %(values)s elements"),
    "$count_less": gettext_lazy("has fewer than %(values)s elements"),
    "$after": gettext_lazy("is after %(values)s"),
    "$before": gettext_lazy("is before %(values)s"),
    "$timeframe": gettext_lazy("is within the repeating time %(values)s"),
    "$timeframe_absolute": gettext_lazy("is between %(values)s"),
    "$timeframe_daily_hours": gettext_lazy("is within the hours %(values)s"),
    "$dow": gettext_lazy("is on the weekdays %(values)s (0 is Sunday)"),
    "$more_than_ago": gettext_lazy("was more than %(values)s days ago"),
    "$less_than_ago": gettext_lazy("was less than %(values)s days ago"),
    "$is_days_ago": gettext_lazy("was %(values)s days ago"),
    "$more_than_future": gettext_lazy("is more than %(values)s days ahead"),
    "$less_than_future": gettext_lazy("is less than %(values)s days ahead"),
    "$is_days_in_future": gettext_lazy("is %(values)s days ahead"),
    "$not_differ": gettext_lazy("has the same elements as %(values)s"),
    "$not_intersect": gettext_lazy("has no element of %(values)s"),
    "$has_value": gettext_lazy("is set"),
    "$is_unknown": gettext_lazy("is not set"),
}
ALIASES = {
    "$greater_than": "$more_than",
    "$greater_than_or_equal": "$more_than_or_equal",
    "$more_than_equal": "$more_than_or_equal",
    "$less_than_equal": "$less_than_or_equal",
}
CALENDAR = {
    "$today": gettext_lazy("is today"),
    "$tomorrow": gettext_lazy("is tomorrow"),
    "$yesterday": gettext_lazy("was yesterday"),
    "$this_week": gettext_lazy("is this week"),
    "$last_week": gettext_lazy("was last week"),
    "$next_week": gettext_lazy("is next week"),
    "$this_month": gettext_lazy("is this month"),
    "$last_month": gettext_lazy("was last month"),
    "$next_month": gettext_lazy("is next month"),
    "$this_year": gettext_lazy("is this year"),
    "$last_year": gettext_lazy("was last year"),
    "$next_year": gettext_lazy("is next year"),
    "$is_day_of_month": gettext_lazy("is on day %(values)s of a month"),
    "$is_month": gettext_lazy("is in month %(values)s of a year"),
    "$is_year": gettext_lazy("is in the year %(values)s"),
    "$is_years_ago": gettext_lazy("was %(values)s years ago"),
    "$is_days_ago_md": gettext_lazy("has its day of the year %(values)s days ago"),
    "$is_more_days_ago_md": gettext_lazy("has its day of the year more than %(values)s days ago"),
    "$is_less_days_ago_md": gettext_lazy("has its day of the year less than %(values)s days ago"),
    "$is_days_in_future_md": gettext_lazy("has its day of the year in %(values)s days"),
    "$is_more_days_in_future_md": gettext_lazy("has its day of the year in more than %(values)s days"),
    "$is_less_days_in_future_md": gettext_lazy("has its day of the year in less than %(values)s days"),
}
ANNUAL = "_md"


def operator_in_words(operator: str, shown: str) -> str:
    """Return what an operator asks of values that are shown as a text, as in `is at least 5`."""
    if words := (OPERATORS | CALENDAR).get(ALIASES.get(operator, operator)):
        return words % {"values": shown}
    period = CALENDAR[operator.removesuffix(ANNUAL)]
    return gettext("%(period)s, whatever the year") % {"period": period}
