"""The loop: listen until nobody runs, let one go, let time pass. Who is next is a policy."""
