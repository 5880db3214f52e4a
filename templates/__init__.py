"""What can be asked, how it is worded, and how a reply is checked; pure, without Prefect or torch."""
