"""The routes of customers, their segments and consents."""

from django.urls import path

from customers.api import consents, customers, segments

urlpatterns = [
    path("v1/customers", customers.Customers.as_view()),
    path("v1/customers/importCSV", customers.CustomersImport.as_view()),
    path("v1/customers/bulk/async", customers.CustomersBulk.as_view()),
    path("v1/customers/metadata/async", customers.CustomersMetadata.as_view()),
    path("v1/customers/<path:ref>/consents", consents.CustomerConsents.as_view()),
    path("v1/customers/<path:ref>/personal-data", customers.PersonalData.as_view()),
    path("v1/customers/<path:ref>/permanent-deletion", customers.PermanentDeletion.as_view()),
    path("v1/customers/<path:ref>/segments", segments.CustomerSegments.as_view()),
    path("v1/customers/<path:ref>", customers.CustomerByRef.as_view()),
    path("v1/segments", segments.Segments.as_view()),
    path("v1/segments/preview", segments.SegmentPreview.as_view()),
    path("v1/segments/<str:segment_id>", segments.SegmentById.as_view()),
    path("v1/consents", consents.Consents.as_view()),
    path("v1/consents/<str:consent_id>", consents.ConsentById.as_view()),
    path("client/v1/consents", consents.ClientConsents.as_view()),
    path("client/v1/customers/<path:ref>/consents", consents.ClientCustomerConsents.as_view()),
    path("client/v1/customers", customers.ClientCustomers.as_view()),
]
