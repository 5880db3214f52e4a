"""What can be asked and how it is worded; pure, without Prefect or torch."""
