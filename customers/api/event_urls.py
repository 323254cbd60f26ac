"""The routes of custom events, asked far more often than those of customers."""

from django.urls import path

from customers.api import events

urlpatterns = [
    path("v1/events", events.Events.as_view()),
    path("client/v1/events", events.ClientEvents.as_view()),
]
